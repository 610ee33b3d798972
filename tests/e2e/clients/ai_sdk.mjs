// Vercel's AI SDK on both routes: `ai_sdk.mjs URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const require = createRequire(join(process.env.NODE_HOME, "index.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { streamText, generateText, tool, stepCountIs, jsonSchema } = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");

const [url, script, toolScript] = process.argv.slice(2);
const options = { baseURL: `${url}/v1`, apiKey: "any" };
const responses = {
  model: createOpenAI(options).responses("scripted"),
  providerOptions: { openai: { reasoningSummary: "auto", forceReasoning: true, store: false } },
};
const chat = { model: createOpenAICompatible({ name: "gateway", ...options })("scripted") };
const weather = tool({
  description: "The weather of a city.",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => JSON.stringify([`It is sunny in ${city}.`]),
});

async function streamed(route) {
  const said = { reasoning: "", text: "" };
  for await (const part of streamText({ ...route, prompt: script, maxRetries: 0 }).fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "reasoning-delta") said.reasoning += part.text;
    if (part.type === "text-delta") said.text += part.text;
  }
  return said;
}

async function toolTurn(route) {
  const asked = { prompt: toolScript, tools: { weather }, stopWhen: stepCountIs(3), maxRetries: 0 };
  return (await generateText({ ...route, ...asked })).text;
}

console.log(
  JSON.stringify({
    responses: await streamed(responses),
    chat: await streamed(chat),
    responses_tool: await toolTurn(responses),
    chat_tool: await toolTurn(chat),
  }),
);
