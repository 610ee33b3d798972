"""An engine with an embedded model in the process of a benchmark, as fast as it will be before anything is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.engine import Engine, EngineSettings
from engine.model_files import model_folder


@asynccontextmanager
async def embedded_engine(model: str = "embedded") -> AsyncIterator[Engine]:
    engine = Engine(model_folder(model), EngineSettings())
    try:
        await asyncio.to_thread(engine.wait_until_improved)
        yield engine
    finally:
        engine.stop()
