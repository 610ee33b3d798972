// A model under llama.cpp, by npm's node-llama-cpp, for bench/llama_cpp/peer.py:
//     node bench/llama_cpp/generate.mjs GGUF THREADS STREAMS
// prints a line when it is ready; then for each line of JSON {"prompts": [text, ...], "tokens": most} generates answers
// to all of them at once, greedily, and prints the number of their tokens.
// It runs in the folder that node-llama-cpp is installed in (.peers/llama_cpp).

import {createRequire} from "node:module";
import {createInterface} from "node:readline";
import {pathToFileURL} from "node:url";

const require = createRequire(`${process.cwd()}/`);
const {getLlama, LlamaLogLevel} = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const [path, threads, streams] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", maxThreads: Number(threads), logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: path});
const context = await model.createContext({
    sequences: Number(streams), contextSize: 1024, batchSize: 512, threads: Number(threads)
});

async function generate(prompt, most) {
    const sequence = context.getSequence();
    let tokens = 0;
    try {
        for await (const _ of sequence.evaluate(model.tokenize(prompt, true), {temperature: 0})) {
            if (++tokens >= most)
                break;
        }
    } finally {
        sequence.dispose();
    }
    return tokens;
}

console.log("ready");
for await (const line of createInterface({input: process.stdin})) {
    const {prompts, tokens} = JSON.parse(line);
    const counts = await Promise.all(prompts.map((prompt) => generate(prompt, tokens)));
    console.log(counts.reduce((sum, count) => sum + count, 0));
}
