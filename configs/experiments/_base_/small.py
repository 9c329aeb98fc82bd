"""What the experiments with the small network share: seeds, budget, and the paper's phases.

200, 200 and 100 epochs (Sec. 3.3) become 12, 12 and 6.
"""

seeds = [0, 1, 2]
budget = 30

pose = dict(config='small/acnn_phase1.py', epochs=12)
attention = dict(config='small/acnn_phase2.py', epochs=12)
joint = dict(config='small/acnn_phase3.py', epochs=6)

hourglass = dict(title='hourglass', phases=[dict(config='small/hourglass.py', epochs=budget)])
acnn = dict(title='ACNN, as the paper', phases=[pose, attention, joint])
