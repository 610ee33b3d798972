// What the programs of the AI SDK share: a streamed answer, and loops with a tool, whole and streamed, on each route.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const require = createRequire(join(process.env.NODE_HOME, "index.js"));
export const load = (name) => import(pathToFileURL(require.resolve(name)));
const { streamText, generateText, tool, isStepCount, jsonSchema } = await load("ai");

const [url, script, toolScript] = process.argv.slice(2);
const options = { baseURL: `${url}/v1`, apiKey: "any" };
const weather = tool({
  description: "The weather of a city.",
  inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] }),
  execute: async ({ city }) => JSON.stringify([`It is sunny in ${city}.`]),
});

async function streamed(asked) {
  const said = { reasoning: "", text: "" };
  for await (const part of streamText({ maxRetries: 0, onError: () => {}, ...asked }).fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "reasoning-delta") said.reasoning += part.text;
    if (part.type === "text-delta") said.text += part.text;
  }
  return said;
}

async function toolTurns(route) {
  const asked = { ...route, prompt: toolScript, tools: { weather }, stopWhen: isStepCount(3), maxRetries: 0 };
  return [(await generateText(asked)).text, (await streamed(asked)).text];
}

// Print what is seen on each route; a route is a function of the provider's options and the model's name.
export async function print(routes) {
  const seen = {};
  for (const [name, route] of Object.entries(routes)) {
    seen[name] = await streamed({ ...route(options, "scripted"), prompt: script });
    seen[`${name}_tool`] = await toolTurns(route(options, "deepseek-reasoner"));
  }
  console.log(JSON.stringify(seen));
}
