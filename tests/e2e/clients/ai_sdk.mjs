// Vercel's AI SDK on both routes: `ai_sdk.mjs URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON.
import { load, print } from "./ai_sdk_turns.mjs";

const { createOpenAI } = await load("@ai-sdk/openai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");

await print({
  responses: (options, model) => ({
    model: createOpenAI(options).responses(model),
    providerOptions: { openai: { reasoningSummary: "auto", forceReasoning: true, store: false } },
  }),
  chat: (options, model) => ({ model: createOpenAICompatible({ name: "gateway", ...options })(model) }),
});
