"""Measures PyTorch and transformers and prints one JSON line per figure, as bench/frame/message.ts reads them."""

import gc
import json
import os
import re
import statistics
import sys
import time

# Read by the library when it is imported: what is measured lies on this machine.
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation import StoppingCriteria, StoppingCriteriaList


def report(measure, unit, samples, note=None, **sizes):
    figure = {"measure": measure, "sizes": sizes, "unit": unit, "backend": "transformers", "samples": samples}
    if note is not None:
        figure["note"] = note
    print(json.dumps({"figure": figure}), flush=True)


def fail(name, problem):
    print(json.dumps({"failure": {"name": name, "problem": str(problem)}}), flush=True)


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def repeated(repetitions, work):
    work()
    return [work() for _ in range(repetitions)]


def resident():
    """Bytes in memory now, and the peak since it was reset; 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as file:
            status = file.read()
    except OSError:
        return 0, 0
    kilobytes = {name: int(number) for name, number in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.M)}
    return 1024 * kilobytes["VmRSS"], 1024 * kilobytes["VmHWM"]


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # Weights may still lie in the mapped file: they count as loaded once they have been read.
    for parameter in model.parameters():
        parameter.sum()
    return model, tokenizer


def prompts(tokenizer, text, rows, tokens):
    ids = tokenizer(text * ((tokens + rows) // 8 + 1), add_special_tokens=False)["input_ids"]
    return torch.tensor([ids[row : row + tokens] for row in range(rows)])


class StepTimes(StoppingCriteria):
    """Notes when each token is there; stops nothing."""

    def __init__(self):
        self.times = []

    def __call__(self, input_ids, scores, **kwargs):
        self.times.append(time.perf_counter())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)


def decode(model, ids, tokens):
    """Tokens per second with the reading of the prompts, and without."""
    steps = StepTimes()
    began = time.perf_counter()
    with torch.inference_mode():
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            pad_token_id=0,
            stopping_criteria=StoppingCriteriaList([steps]),
        )
    whole = ids.shape[0] * tokens / (time.perf_counter() - began)
    return whole, ids.shape[0] * (tokens - 1) / (steps.times[-1] - steps.times[0])


def measure_loading(settings):
    load(settings["model"])
    gc.collect()
    reset_peak()
    before, _ = resident()
    model, _ = load(settings["model"])
    _, peak = resident()
    weights = 4 * sum(parameter.numel() for parameter in model.parameters())
    if peak > 0:
        report("load-memory", "MB", [(peak - before) / 1e6])
        report("load-memory-multiple", "x", [(peak - before) / weights])
    del model
    samples = repeated(settings["repetitions"], lambda: seconds(lambda: load(settings["model"])))
    report("load-safetensors", "s", samples)


def measure_product(repetitions):
    a, b = torch.rand(512, 2048), torch.rand(2048, 2048)
    samples = repeated(repetitions, lambda: 2 * 512 * 2048 * 2048 * 4 / seconds(lambda: [a @ b for _ in range(4)]) / 1e9)
    report("matmul", "GFLOP/s", samples)


def measure_training(model, ids, repetitions):
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "v_proj"]))
    adapted.train()
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=1e-4, weight_decay=0)

    def step():
        optimizer.zero_grad()
        adapted(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()

    samples = repeated(repetitions, lambda: seconds(step))
    report("training", "s", samples, tokens=ids.shape[1])
    return adapted.unload()


def main():
    settings = json.loads(sys.argv[1])
    only, repetitions, text = settings["only"], settings["repetitions"], settings["text"]
    if "load" in only:
        measure_loading(settings)
    measure_product(repetitions)
    model, tokenizer = load(settings["model"])
    if "prefill" in only:
        for tokens in settings["prefill"]:
            ids = prompts(tokenizer, text, 1, tokens)

            def read():
                with torch.inference_mode():
                    model(ids, use_cache=True, logits_to_keep=1)

            report("prefill", "tokens/s", repeated(repetitions, lambda: tokens / seconds(read)), tokens=tokens)
    if "decode" in only:
        rate_after = {}
        decode(model, prompts(tokenizer, text, 1, 32), 4)
        for case in settings["decoding"]:
            batch, after, tokens = case["batch"], case["after"], case["tokens"]
            ids = prompts(tokenizer, text, batch, after)
            runs = [decode(model, ids, tokens) for _ in range(1 if case["heavy"] else repetitions)]
            whole, new_tokens = [list(samples) for samples in zip(*runs)]
            report("decode", "tokens/s", new_tokens, batch=batch, after=after, tokens=tokens)
            report("generate", "tokens/s", whole, batch=batch, after=after, tokens=tokens)
            if batch == 1:
                rate_after[after] = statistics.median(new_tokens)
        if 128 in rate_after and 1024 in rate_after:
            report("decode-growth", "x", [rate_after[128] / rate_after[1024]])
    if "training" in only:
        for tokens in settings["training"]:
            try:
                model = measure_training(model, prompts(tokenizer, text, 1, tokens), repetitions)
            except ImportError as error:
                fail("training", error)
                break


if __name__ == "__main__":
    main()
