# The service alone: no build tools, no kubectl, no kubernetes client. Runs as 65532 on a read-only root.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock /src/
RUN python -m venv /venv && /venv/bin/pip install --require-hashes -r /src/requirements.lock
COPY pyproject.toml README.md /src/
COPY app /src/app
RUN /venv/bin/pip install --no-deps /src && /venv/bin/python -m compileall -q /venv && /venv/bin/pip uninstall --yes pip

FROM python:3.13-slim
RUN rm -rf /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/pip* /usr/local/bin/pip*
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["prism-operator"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
