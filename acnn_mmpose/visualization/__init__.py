"""Pictures of what the network attends to and predicts."""

from .overview import PersonView, draw_overview, view_people

__all__ = ['PersonView', 'draw_overview', 'view_people']
