"""Story boards of the same few people at every validation: attention as it is learned."""

from __future__ import annotations

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...models import unwrap
from ...visualization import draw_people


@HOOKS.register_module()
class StoryBoardHook(Hook):
    """Gives the visual backends story boards of a few validation people after every validation.

    MMEngine's local backend writes them to ``vis_data/vis_image/stories_EPOCH.png``.

    Args:
        num_people: How many people, >= 1, evenly spread over the validation set.
    """

    def __init__(self, num_people: int = 3) -> None:
        self.num_people = num_people

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Predict and draw; the model is in eval mode here."""
        dataset = runner.val_dataloader.dataset
        picture = draw_people(unwrap(runner.model), dataset, self.num_people)
        runner.visualizer.add_image('stories', picture, runner.epoch)
