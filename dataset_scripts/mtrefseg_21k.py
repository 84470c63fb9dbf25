# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
MTRefSeg-21K from its raw folders, one row per sentence (TV, NS, RS) or per pair (TV_pairs, NS_pairs, RS_pairs):

```python
from dataset_scripts.mtrefseg_21k import MTRefSeg21K

builder = MTRefSeg21K(config_name="RS", data_dir="MTRefSeg-21K")  # without data_dir it is downloaded
builder.download_and_prepare()
train = builder.as_dataset(split="train")
```

With datasets 3 the file is a loading script: `load_dataset("dataset_scripts/mtrefseg_21k.py", "RS", data_dir=...,
trust_remote_code=True)`. It needs this package installed, or the clone as the working directory.
"""

from dataset_scripts.readers import PAIRS_SUFFIX, SETTINGS, RawBuilder, RawConfig


REPOSITORY = "kkk2026/MTRefSeg-21K"
"""The repository of the published raw folders."""

_CONTENTS = {
    "TV": "Normal scenes and remote sensing",
    "NS": "Normal scenes",
    "RS": "Remote sensing",
}


class MTRefSeg21K(RawBuilder):
    """
    Pairs of images, an earlier and a later one, with sentences and the masks of the changes that these describe.

    Configurations, columns and splits: `RawConfig`, `schema.referring_features`, `schema.pair_features`; "train",
    "validation", and "test" if the raw folder has one.
    """

    IS_PRETRAIN = False
    # The folders of both domains contain the same pairs as those of setting TV, and give the domain of each.
    DOWNLOADS = {
        "TV": ["NS_FINAL_CLEAN_*/*", "RS_FINAL_CLEAN_*/*"],
        "NS": ["NS_FINAL_CLEAN_*/*"],
        "RS": ["RS_FINAL_CLEAN_*/*"],
    }
    BUILDER_CONFIGS = [
        RawConfig(
            name=setting + suffix,
            version=RawBuilder.VERSION,
            description=f"{_CONTENTS[setting]}, one row per {unit}.",
            repo_id=REPOSITORY,
        )
        for suffix, unit in (("", "sentence"), (PAIRS_SUFFIX, "pair"))
        for setting in SETTINGS
    ]
