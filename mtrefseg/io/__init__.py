# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reading and writing files: `files` (written whole or not at all, hashes), `images` (the reader of images and masks),
`masks` (the writer of masks).
"""
