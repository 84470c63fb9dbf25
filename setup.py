# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Package metadata. Lint, type and test settings are in `pyproject.toml`, the tested versions in `requirements/`."""

from pathlib import Path

from setuptools import setup


# Lower bounds say what the code needs, upper bounds stop at the next major version, which may break anything.
# What was really run is `requirements/ci.lock.txt`; CONTRIBUTING.md says so too.
BASE = [
    # PyTorch 2.6 is the oldest one that transformers 5.20 accepts.
    "torch>=2.6",
    # 5.20 is the first release with `configuration_utils.SubConfigSpec`, which declares the nested configurations.
    "transformers>=5.20,<6",
    # transformers 5.20 asks for 1.31; `huggingface_hub.dataclasses.strict` validates the configurations.
    "huggingface_hub>=1.31,<3",
    # 0.8 is what transformers 5.20 asks for; weights are read and written with it directly as well.
    "safetensors>=0.8",
    # 10.1 is the first release whose built-in font can be drawn at any size (`ImageFont.load_default(size)`).
    "pillow>=10.1",
    # The last 1.x release; nothing here needs a 2.x API.
    "numpy>=1.26",
    "tqdm>=4.66",  # Progress bars; huggingface_hub brings it, too.
]

ACCELERATE = "accelerate>=1.1"  # What transformers 5.20 asks for.
PEFT = "peft>=0.21"  # The series that is tested.
DATASETS = "datasets>=4.0"  # The first release without dataset scripts; pictures and masks are kept as Parquet.
GRADIO = "gradio>=6.0,<7"  # 6.0 moved `theme` and `css` from `Blocks` to `launch`.
TRL = "trl>=1.0,<2"  # The first major version; its `SFTTrainer` is what stage 1 and stage 2 build on.
DEEPSPEED = "deepspeed>=0.19"  # The series that was tried with transformers 5.23 (ZeRO-2 and ZeRO-3).
RAY = "ray>=2.60,<3"  # The series that `craft-agent run --engine ray` was tried with.
EVALUATE = "evaluate>=0.4.6"  # The release that was tried with datasets 5.
JSONSCHEMA = "jsonschema>=4.18"  # Checks the answers of models against their schemas.
OPENAI = "openai>=3.57,<4"  # Asks chat servers; the series that was tested, which brings httpx2.
SCIPY = "scipy>=1.11"  # Connected components, closing, blur.
SCIKIT_IMAGE = "scikit-image>=0.22"  # Phase correlation.
MATPLOTLIB = "matplotlib>=3.9"  # Draws the page of statistics, and curves; 3.9 is the first release for NumPy 2.

EXTRAS = {
    "train": [
        ACCELERATE,
        PEFT,
        DATASETS,
        TRL,
        DEEPSPEED,
        EVALUATE,
        MATPLOTLIB,
    ],
    "demo": [
        DATASETS,
        "pyarrow>=15",  # What datasets 4.0 asks for.
        GRADIO,
    ],
    "data": [
        DATASETS,
        "pyarrow>=15",  # What datasets 4.0 asks for.
        "jinja2>=3.1",  # Fills in the template of the dataset card.
        MATPLOTLIB,
    ],
    "craft": [
        DATASETS,
        "pyarrow>=15",  # What datasets 4.0 asks for.
        GRADIO,
        JSONSCHEMA,
        OPENAI,
        SCIPY,
        SCIKIT_IMAGE,
        "torchvision>=0.21",  # transformers prepares pictures for SAM 2 and SAM 3 with it; 0.21 goes with PyTorch 2.6.
    ],
    "ray": [
        RAY,
    ],
    "score": [
        DATASETS,
        EVALUATE,
    ],
    "test": [
        ACCELERATE,
        PEFT,
        DATASETS,
        EVALUATE,
        GRADIO,
        MATPLOTLIB,
        TRL,
        DEEPSPEED,
        RAY,
        JSONSCHEMA,
        OPENAI,
        SCIPY,
        SCIKIT_IMAGE,
        "pytest>=8.0",
        "hypothesis>=6.100",  # Property tests of the score.
        "pycocotools>=2.0.8",  # The score of run-length masks must equal its own. 2.0.8 is the first one for NumPy 2.
        # The linter and the type checker judge the code: another version may find other things, so `make test` takes
        # both from the lock file.
        "ruff>=0.14",
        "mypy>=1.18",
        "selenium>=4.30",  # Drives Chromium in the tests of pages, which skip where there is none.
        "build>=1.2",  # The packaging tests build a wheel and an sdist.
    ],
}

setup(
    name="mtrefseg",
    version="0.1.0",
    description="Multi-temporal referring segmentation: two pictures of one scene and a sentence in, the mask of "
    "exactly that change out",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The mtrefseg authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="change-detection referring-segmentation remote-sensing transformers pytorch",
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    # 3.10 is the oldest Python that the lower ends above accept.
    python_requires=">=3.10",
    packages=[
        "modeling_mtrefseg",
        "dataset_scripts",
        "dataset_scripts.synthesis",
        "mtrs_iou",
        "craft_agent",
        "craft_agent.audit",
        "craft_agent.backends",
        "craft_agent.backends.offline",
        "craft_agent.commands",
        "craft_agent.engines",
        "craft_agent.prompts",
        "craft_agent.state",
        "craft_agent.steps",
        "spaces_demo",  # `mtrefseg demo` starts it.
    ],
    package_data={
        "modeling_mtrefseg": ["report_template.html"],
        "dataset_scripts": ["card_template.md", "browse_template.html", "page.css", "page.js"],
        "craft_agent.audit": ["*.css", "*.html", "*.js"],
        "craft_agent.prompts": ["*.txt"],
        "spaces_demo": ["*.css", "examples/*"],
    },
    install_requires=BASE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "mtrefseg = modeling_mtrefseg.command_line_mtrefseg:main",
            "craft-agent = craft_agent.command_line:main",
        ]
    },
)
