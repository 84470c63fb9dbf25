# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The sentence writer: finds things of a scene that can be described unambiguously, and words for them.

`observation` measures what the images show; `expressions` and `plain_expressions` describe it with the words of
`lexicon`. `vocabulary` lists the words of these sentences for the paraphraser, which parses them.
"""
