// Requests to the gateway's public routes, and the events of a stream. Knows nothing of what is shown.

let key = sessionStorage.getItem("key") ?? "";

export function setKey(value) {
  key = value;
  sessionStorage.setItem("key", value);
}

// A failure as `stream.failed` has it. Two types are the page's own: `unreachable` and `lost`.
export class Failure extends Error {
  constructor({ type, message = "", stage = "", retryable = true }, status = 0) {
    super(message);
    Object.assign(this, { type, stage, retryable, status });
  }
}

// Return the response, or raise its Failure. Raises an AbortError once `signal` is aborted.
export async function request(path, options = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let response;
  try {
    response = await fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Failure({ type: "unreachable" });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  const error = body.error ?? { type: "", message: `HTTP ${response.status}` };
  const stage = error.stage ?? (response.status < 500 ? "request" : "upstream");
  throw new Failure({ ...error, stage, retryable: response.headers.get("X-Should-Retry") !== "false" }, response.status);
}

// Yield the data of each server-sent event of a response as text.
export async function* serverSentEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
  }
}

const LAST = ["stream.completed", "stream.failed"];

// Yield each event of an answer of the native route. Raises the Failure with which it ends, if any.
export async function* answer(body, signal) {
  const response = await request("v1/reasoning", { method: "POST", body: JSON.stringify(body), signal });
  try {
    for await (const json of serverSentEvents(response)) {
      const event = JSON.parse(json);
      if (event.type === "ping") continue;
      yield event;
      if (LAST.includes(event.type)) return;
    }
  } catch (error) {
    if (signal.aborted || error instanceof Failure) throw error;
  }
  throw new Failure({ type: "lost" });
}
