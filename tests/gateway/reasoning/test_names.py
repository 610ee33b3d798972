"""Names of models that do not think, beside those of the same families that do."""

import pytest

from gateway.reasoning.formats import detect
from gateway.reasoning.names import never_thinks, normalized

DO_NOT_THINK = """
    qwen3-max qwen3-max-preview Qwen/Qwen3-30B-A3B-Instruct-2507 qwen3-coder:30b Qwen3-Coder-Next
    qwen/qwen3-next-80b-a3b-instruct:free qwen2.5-72b-instruct qwen2.5:7b qwen2-72b qwen1.5-14b
    moonshotai/Kimi-K2-Instruct Kimi_K2_Instruct_0905 kimi-k2-0711-preview kimi-k2-0905-preview
    kimi-k2-turbo-preview moonshot-v1-128k deepseek-chat deepseek-v3 deepseek-v3:671b
    deepseek-ai/DeepSeek-V3-0324 deepseek/deepseek-chat-v3-0324 deepseek-v2.5 deepseek-coder glm-4
    glm-4-plus glm-4-9b-chat glm4:9b glm-4v THUDM/GLM-4-32B-0414 gpt-4o gpt-4.1-mini gpt-3.5-turbo
    openai/chatgpt-4o-latest claude-3-5-sonnet gemini-2.0-flash meta-llama/Llama-3.3-70B-Instruct
    llama3.2:3b mistral-large-2411 codestral-latest gemma-3-27b-it phi-4 command-r-plus
    grok-4-fast-non-reasoning qwen3-30b-non-thinking
"""
MAY_THINK = """
    qwen3-8b qwen3:8b qwen3-max-thinking Qwen/Qwen3-235B-A22B-Thinking-2507 Qwen3.5-35B-A3B kimi-k2
    kimi-k2-thinking-turbo kimi-k2.5 deepseek-reasoner deepseek-r1 deepseek-v3.1
    accounts/fireworks/models/deepseek-v3p1 deepseek-v3-1 deepseek-v3.2-exp deepseek/deepseek-chat-v3.1
    deepseek-v4-flash DeepSeek-R1-Distill-Qwen-7B DeepSeek-R1-Distill-Llama-70B glm-4.5-air glm-4p5 glm-4.6
    glm-5 GLM-4.1V-9B-Thinking gpt-oss-20b phi-4-reasoning Ministral-3-8B-Reasoning
    llama-3.3-nemotron-super-49b granite-3.2-8b-instruct hunyuan-a13b-instruct qwq-32b gemma-4-31b-it
    magistral-small-2509 minimax-m2 some/model
"""


@pytest.mark.parametrize("model", DO_NOT_THINK.split())
def test_a_model_that_does_not_think_is_known_by_its_name(model: str) -> None:
    assert never_thinks(model)
    assert detect(model).name == "auto"


@pytest.mark.parametrize("model", MAY_THINK.split())
def test_a_model_that_may_think_is_not_taken_for_one_that_does_not(model: str) -> None:
    assert not never_thinks(model)


def test_a_name_is_normalized_without_its_owner() -> None:
    assert normalized("Org/Some Model_V2") == "some-model-v2"
