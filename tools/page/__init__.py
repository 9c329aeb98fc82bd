"""The page of ``tools/app.py``: its layout, which needs gradio, and what it shows."""
