# The console and its labs in one image. dcmtk is there so that a trainee can use the real tools from inside it too.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends dcmtk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 sandbox

WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY sandbox sandbox
COPY web web
COPY sample_dicom sample_dicom
COPY scenarios scenarios
# Editable, so that scenarios mounted over /app/scenarios are found.
RUN pip install --no-cache-dir -e '.[postgresql]' && mkdir -p /data && chown sandbox /data

USER sandbox
ENV PACS_SANDBOX_HOME=/data
VOLUME /data
EXPOSE 8042
STOPSIGNAL SIGTERM
CMD ["pacs-sandbox", "up", "--host", "0.0.0.0", "--port", "8042"]
