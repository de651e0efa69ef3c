"""The service under uvicorn: one worker a pod, since hooks are stateless and replicas scale better than workers."""

import os
import sys

import uvicorn
from pydantic import ValidationError

from app import logs
from app.main import create_app
from app.settings import PREFIX, Settings, from_environment

KEEP_ALIVE_SECONDS = 120  # above the 90 s for which Metacontroller keeps an idle connection: it does not repeat a POST


def serve(host: str, port: int) -> int:
    """Serves until it is told to stop; 2 where the environment is malformed."""
    try:
        settings = from_environment(os.environ)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            print(f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}", file=sys.stderr)
        return 2
    server(settings, host, port).run()
    return 0


def server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    """A server that is configured, not started."""
    logs.configure(settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        server_header=False,
        date_header=False,
    )
    return uvicorn.Server(config)
