"""A deployed model behind MMPose's inference API."""

from __future__ import annotations

import numpy as np
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model


def test_the_api_predicts_the_same_deployed(config, trained, images):
    model = init_model(config, str(trained['joint']), device='cpu')
    (before,) = inference_topdown(model, str(images[0]))
    model.switch_to_deploy()
    (after,) = inference_topdown(model, str(images[0]))
    for name in ('keypoints', 'keypoint_scores', 'attention_masks', 'stage_keypoints'):
        np.testing.assert_allclose(
            after.pred_instances[name], before.pred_instances[name], atol=1e-4, err_msg=name
        )


def test_the_inferencer_predicts_the_same_deployed(config, trained, images):
    inferencer = MMPoseInferencer(
        pose2d=config, pose2d_weights=str(trained['joint']), det_model='whole_image', device='cpu'
    )
    (before,) = inferencer(str(images[0]))
    inferencer.inferencer.model.switch_to_deploy()
    (after,) = inferencer(str(images[0]))
    old, new = (np.array(r['predictions'][0][0]['keypoints']) for r in (before, after))
    np.testing.assert_allclose(new, old, atol=1e-4)
