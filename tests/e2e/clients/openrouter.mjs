// OpenRouter's provider for the AI SDK, on chat: `openrouter.mjs URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON.
import { load, print } from "./ai_sdk_turns.mjs";

const { createOpenRouter } = await load("@openrouter/ai-sdk-provider");

await print({ chat: (options, model) => ({ model: createOpenRouter(options).chat(model) }) });
