# Logits of models and adapters as transformers and peft compute them: a JSON job on stdin, JSON results on stdout.
import json
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM


def logits(model, ids):
    model.eval()
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0].double().flatten().tolist()


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager")


def run(task):
    """Reads an adapter, or creates one and saves it, or takes the bare model."""
    model = load(task["model"])
    if "settings" in task:
        torch.manual_seed(task["seed"])
        model = get_peft_model(model, LoraConfig(init_lora_weights=False, **task["settings"]))
        model.save_pretrained(task["adapter"])
    elif "adapter" in task:
        model = PeftModel.from_pretrained(model, task["adapter"])
    return logits(model, task["ids"])


json.dump([run(task) for task in json.load(sys.stdin)], sys.stdout)
