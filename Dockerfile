# The locked dependencies, in a virtual environment of their own. The wheel of pillow-heif brings libheif and libde265
# (LGPL 3) and x265 (GPL 2); their licences stay in its dist-info folder, for whoever passes the image on.
FROM python:3.13-slim AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --no-deps -r /tmp/requirements.lock

FROM python:3.13-slim
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
WORKDIR /app
COPY pyproject.toml LICENSE ./
COPY bot/ bot/
COPY cogs/ cogs/
USER darkroom
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
