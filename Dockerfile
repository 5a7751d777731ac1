# python:3.13-slim of amd64 and arm64, by its digest. What the tag means today:
#   docker buildx imagetools inspect python:3.13-slim --format '{{.Manifest.Digest}}'
ARG PYTHON=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# The locked dependencies, in a virtual environment of their own. The wheel of pillow-heif brings libheif and libde265
# (LGPL 3) and x265 (GPL 2); their licences stay in its dist-info folder, for whoever passes the image on.
FROM ${PYTHON} AS packages
WORKDIR /build
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --no-deps -r requirements.lock
# What builds the wheel is locked, too, and stays behind in this stage.
RUN awk '/^[^ ]/ { on = /^setuptools==/ } on' requirements-dev.lock > build.lock \
    && python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
       --require-hashes --no-deps -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot/ bot/
COPY cogs/ cogs/
RUN python -m pip wheel --disable-pip-version-check --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && /venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-index dist/*.whl

FROM ${PYTHON}
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DARKROOM_DATA_DIR=/data \
    DARKROOM_LISTEN=0.0.0.0:8080
# Names and prompts are drawn with them, in every script (bot/lettering.py).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-dejavu-core fonts-noto-core fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin darkroom \
    && install --directory --owner darkroom --mode 0700 /data
COPY --from=packages /venv /venv
WORKDIR /data
USER darkroom
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["darkroom", "health"]
ENTRYPOINT ["darkroom"]
CMD ["run"]
