"""Hooks as HTTP endpoints: a client whose requests go straight into the application."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, settings

from app.main import create_app
from app.settings import Settings

NOW = "2026-01-01T00:00:00Z"
settings.register_profile("here", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("here")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(), now=lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as opened:
        yield opened
