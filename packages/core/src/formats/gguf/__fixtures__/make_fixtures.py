"""Makes the fixtures of the GGUF tests with the format's own Python package (pip install gguf==0.19.0 safetensors numpy).

dequantised.json: random blocks of every type and their float32 values.
tiny-llama.gguf: a one-layer model; tiny-llama.safetensors: the same weights under their Hugging Face names.
"""
import base64, json
from pathlib import Path
import numpy as np
from gguf import GGMLQuantizationType as T, GGUFWriter, GGUFValueType, quants
from gguf.constants import GGML_QUANT_SIZES
from safetensors.numpy import save_file

here = Path(__file__).parent
random = np.random.default_rng(5)

# Where each type keeps its float16 numbers, so that they can be made finite.
halves = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
cases = {}
for kind, places in halves.items():
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (3, size), dtype=np.uint8)
    for place in places:
        blocks[:, place:place + 2] = random.normal(0, 0.3, 3).astype(np.float16).view(np.uint8).reshape(3, 2)
    values = quants.dequantize(blocks, kind).astype(np.float32).reshape(-1)
    assert values.size == 3 * elements and np.isfinite(values).all()
    cases[kind.name] = {"type": int(kind), "blocks": base64.b64encode(blocks.tobytes()).decode(), "values": base64.b64encode(values.tobytes()).decode()}
(here / "dequantised.json").write_text(json.dumps(cases, indent=1) + "\n")

hidden, inner, heads, groups, vocab = 32, 64, 4, 2, 12
names = {
    "token_embd": ("model.embed_tokens", (vocab, hidden)), "output_norm": ("model.norm", (hidden,)),
    "blk.0.attn_norm": ("model.layers.0.input_layernorm", (hidden,)), "blk.0.ffn_norm": ("model.layers.0.post_attention_layernorm", (hidden,)),
    "blk.0.attn_q": ("model.layers.0.self_attn.q_proj", (hidden, hidden)), "blk.0.attn_k": ("model.layers.0.self_attn.k_proj", (hidden // heads * groups, hidden)),
    "blk.0.attn_v": ("model.layers.0.self_attn.v_proj", (hidden // heads * groups, hidden)), "blk.0.attn_output": ("model.layers.0.self_attn.o_proj", (hidden, hidden)),
    "blk.0.ffn_gate": ("model.layers.0.mlp.gate_proj", (inner, hidden)), "blk.0.ffn_up": ("model.layers.0.mlp.up_proj", (inner, hidden)),
    "blk.0.ffn_down": ("model.layers.0.mlp.down_proj", (hidden, inner)),
}
kinds = {"token_embd": T.Q8_0, "blk.0.attn_q": T.F32, "blk.0.attn_k": T.F16, "blk.0.attn_v": T.BF16, "blk.0.ffn_gate": T.Q4_1, "blk.0.ffn_up": T.Q4_0, "blk.0.ffn_down": T.Q5_1}

def permute(weights, count):  # the row order of converted Llama files
    return weights.reshape(count, 2, weights.shape[0] // count // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)

writer = GGUFWriter(here / "tiny-llama.gguf", "llama")
writer.add_block_count(1); writer.add_context_length(128); writer.add_embedding_length(hidden); writer.add_feed_forward_length(inner)
writer.add_head_count(heads); writer.add_head_count_kv(groups); writer.add_layer_norm_rms_eps(1e-5); writer.add_rope_freq_base(50000.0)
for name, value in {"UINT8": 200, "INT8": -5, "UINT16": 60000, "INT16": -300, "UINT32": 4000000000, "INT32": -70000, "FLOAT32": 0.5, "BOOL": True, "STRING": "h\u00e9llo",
                    "UINT64": 2**63, "INT64": -(2**40), "FLOAT64": 0.1}.items():
    writer.add_key_value(f"test.{name.lower()}", value, GGUFValueType[name])
writer.add_array("test.array", [1, -2, 3]); writer.add_array("test.texts", ["a", "", "\u00df"])
writer.add_tokenizer_model("gpt2"); writer.add_tokenizer_pre("smollm")
writer.add_token_list(["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "c", "ab", "\u0120", "1", "2", "<tool>", "[PAD11]"])
writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 4, 5]); writer.add_token_merges(["a b"])
writer.add_bos_token_id(1); writer.add_eos_token_id(2); writer.add_pad_token_id(2); writer.add_unk_token_id(0)
writer.add_add_bos_token(False); writer.add_chat_template("{{ messages[0].content }}")
stored = {}
for name, (long_name, shape) in names.items():
    weights = random.normal(0, 0.1, shape).astype(np.float32)
    kind = kinds.get(name, T.F32)
    count = {"blk.0.attn_q": heads, "blk.0.attn_k": groups}.get(name)
    ordered = weights if count is None else permute(weights, count)
    packed = quants.quantize(np.ascontiguousarray(ordered), kind)
    writer.add_tensor(f"{name}.weight", packed, raw_dtype=kind)
    seen = quants.dequantize(packed, kind).reshape(shape).astype(np.float32)
    if count is not None:  # the inverse of permute, by sorting the numbers of the rows
        seen = seen[np.argsort(permute(np.arange(shape[0]), count))]
    stored[f"{long_name}.weight"] = np.ascontiguousarray(seen)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()
save_file(stored, here / "tiny-llama.safetensors")
