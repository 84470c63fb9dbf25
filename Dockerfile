# `mtrefseg serve` on the CPU, with the shipped model:
#
#   docker build --tag mtrefseg .
#   docker run --rm --publish 127.0.0.1:8000:8000 mtrefseg
#
# Options go behind the name of the image, such as `--no-demo --queue 16`. compose.yaml does the same with limits.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    HF_HOME=/tmp/huggingface

WORKDIR /app
# PyTorch first and alone. On Linux, pip may take the CUDA build of several GB; PyTorch's installation page names the index
# of the CPU builds, for --build-arg TORCH_OPTIONS="--index-url ...".
ARG TORCH_OPTIONS=""
RUN pip install torch==2.13.0 ${TORCH_OPTIONS}
# Then what changes seldom: the packages that the extra `serve` names, in the tested versions.
COPY pyproject.toml setup.py README.md LICENSE ./
COPY requirements/ci.lock.txt requirements/
COPY modeling_mtrefseg modeling_mtrefseg
COPY mtrefseg mtrefseg
COPY mtrs_iou mtrs_iou
COPY dataset_scripts dataset_scripts
COPY trainer trainer
COPY craft_agent craft_agent
COPY spaces_demo spaces_demo
RUN pip install --constraint requirements/ci.lock.txt ".[serve]" && rm -rf build ./*.egg-info
COPY mtrefseg-r1 mtrefseg-r1

# Nobody in the container may change the program.
RUN useradd --system --no-create-home --shell /usr/sbin/nologin mtrefseg
USER mtrefseg
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# The first process gets SIGTERM and finishes what runs.
STOPSIGNAL SIGTERM
ENTRYPOINT ["mtrefseg", "serve", "--model", "/app/mtrefseg-r1", "--host", "0.0.0.0", "--port", "8000"]
