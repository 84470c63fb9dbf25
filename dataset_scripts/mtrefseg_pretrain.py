# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The stage-1 set of MTRefSeg from its raw folders (TV, NS, RS): pairs with the mask of every change, without sentences.

```python
from dataset_scripts.mtrefseg_pretrain import MTRefSegPretrain

builder = MTRefSegPretrain(config_name="RS", data_dir="MTRefSeg_Pretrained")  # without data_dir it is downloaded
builder.download_and_prepare()
train = builder.as_dataset(split="train")
```

With datasets 3 the file is a loading script: `load_dataset("dataset_scripts/mtrefseg_pretrain.py", "RS",
data_dir=..., trust_remote_code=True)`. It needs this package installed, or the clone as the working directory.
"""

from dataset_scripts.readers import SETTINGS, RawBuilder, RawConfig


REPOSITORY = "kkk2026/MTRefSeg_Pretrained"
"""The repository of the published raw folders."""


class MTRefSegPretrain(RawBuilder):
    """
    Pairs of images, an earlier and a later one, with the mask of every change.

    Configurations, columns and splits: `RawConfig`, `schema.pretrain_features`; "train", and others if the raw
    folder has them.
    """

    IS_PRETRAIN = True
    DOWNLOADS = {setting: [f"MTRefSeg_pretrain_{setting}*/*"] for setting in SETTINGS}
    BUILDER_CONFIGS = [
        RawConfig(
            name=setting,
            version=RawBuilder.VERSION,
            description=f"Binary change masks, setting {setting}.",
            repo_id=REPOSITORY,
        )
        for setting in SETTINGS
    ]
