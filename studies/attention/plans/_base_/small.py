"""What the experiments with the small network share: width, seeds, budget, and the paper's phases.

200, 200 and 100 epochs (Sec. 3.3) become 6, 6 and 3.
"""

seeds = [0, 1, 2]
budget = 15

# half as wide as small/, so that three seeds of every variant fit into hours
options = {'model.backbone.channels': 32, 'model.head.in_channels': 32}

pose = dict(config='small/acnn_phase1.py', epochs=6)
attention = dict(config='small/acnn_phase2.py', epochs=6)
joint = dict(config='small/acnn_phase3.py', epochs=3)

# the same random weights as ACNN's, with mask branches that never run
hourglass = dict(title='hourglass', phases=[dict(pose, epochs=budget)])
acnn = dict(title='ACNN, as the paper', phases=[pose, attention, joint])
