# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Lets torchvision be imported beside a PyTorch that it was not built for, such as the wheel for graphics cards beside
PyTorch for processors. Its compiled operations stay unusable, but what prepares images needs none of them.

    pip install --no-deps --target build/torchvision torchvision==0.28.0
    PYTHONPATH=build/torchvision python -m pytest -p tests.craft_agent.torchvision_on_cpu \\
        tests/craft_agent/test_segmenters.py
"""

import importlib

import torch


try:
    importlib.import_module("torchvision")
except RuntimeError:
    # It describes these two without asking whether they are there.
    for operation in ("nms", "qnms"):
        torch.library.define(
            f"torchvision::{operation}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    importlib.import_module("torchvision")
