# One image for web, worker, sweeper and migrations; docker-compose.yml says which command runs where.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    TIDEPOOL_DATA=/data \
    TIDEPOOL_STATIC_ROOT=/srv/static
WORKDIR /app

# A fixed number, so that the files worker.key and record.key can be given to it on the host.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tidepool \
    && install -d -o tidepool -g tidepool -m 700 /data /checkpoints

COPY script/lib/uv.lock requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r uv.lock \
    && uv pip install --system --no-cache --compile-bytecode --require-hashes -r requirements.lock

COPY manage.py ./
COPY cloud cloud
COPY panel panel
COPY templates templates
COPY static static
# The key is thrown away: collecting files signs nothing.
RUN python -m compileall -q cloud panel \
    && TIDEPOOL_SECRET_KEY=only-for-this-line python manage.py collectstatic --noinput --verbosity 0

USER tidepool
