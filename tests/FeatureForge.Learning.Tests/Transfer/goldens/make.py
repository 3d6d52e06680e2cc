"""Small random checkpoints in the naming of public families, and what each network gives for a fixed input, block by block.
Written from the papers and the families' published layouts with numpy alone: no code is shared with the program under test.
Run: python3 make.py   (numpy 1.24). Writes one folder per checkpoint beside this file; the output is the same on every run."""
import json, math, os, struct
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
erf = np.vectorize(math.erf)


def save(path, tensors, metadata=None):
    header, blobs, at = {}, [], 0
    if metadata: header["__metadata__"] = metadata
    for name, value in tensors.items():
        blob = np.ascontiguousarray(value, dtype=np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob); at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def folder(name, config, tensors, expected, **texts):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    json.dump(config, open(os.path.join(path, "config.json"), "w"), indent=1)
    for file, text in texts.items(): open(os.path.join(path, file.replace("__", ".")), "w", encoding="utf-8").write(text)
    save(os.path.join(path, "model.safetensors"), tensors)
    save(os.path.join(path, "expected.safetensors"), expected)


# --- pieces, in double precision ---------------------------------------------------------------------------------------
def norm(x, w, b, eps): return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * w + b
def gelu(x): return x * 0.5 * (1 + erf(x / math.sqrt(2)))
def linear(x, w, b): return x @ w.T + (0 if b is None else b)
def softmax(x): e = np.exp(x - x.max(-1, keepdims=True)); return e / e.sum(-1, keepdims=True)


def attention(x, q, k, v, o, heads, visible=None):
    """x [N, T, D]; q, k, v, o are (weight, bias); visible [N, T] bool."""
    n, t, d = x.shape
    split = lambda y: y.reshape(n, t, heads, d // heads).transpose(0, 2, 1, 3)
    q, k, v = split(linear(x, *q)), split(linear(x, *k)), split(linear(x, *v))
    scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(d // heads)
    if visible is not None: scores = np.where(visible[:, None, None, :], scores, -1e30)
    return linear((softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(n, t, d), *o)


def cubic(src, dst):
    """Interpolation matrix [dst, src]: Keys' kernel with a = -0.75, corners not aligned, border values repeated."""
    a, m = -0.75, np.zeros((dst, src))
    for i in range(dst):
        at = (i + 0.5) * src / dst - 0.5
        for tap in range(math.floor(at) - 1, math.floor(at) + 3):
            x = abs(at - tap)
            w = (a + 2) * x**3 - (a + 3) * x**2 + 1 if x <= 1 else a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
            m[i, min(max(tap, 0), src - 1)] += w
    return m


class Weights(dict):
    def __init__(self, seed): super().__init__(); self.random = np.random.default_rng(seed)
    def new(self, name, *shape, scale=0.25, around=0.0):
        self[name] = (around + scale * self.random.standard_normal(shape)).astype(np.float32)
        return self[name].astype(np.float64)
    def pair(self, name, to, source, bias=True):
        return self.new(name + ".weight", to, source), self.new(name + ".bias", to) if bias else None
    def norm(self, name, width):
        return self.new(name + ".weight", width, around=1.0), self.new(name + ".bias", width)


# --- vision ------------------------------------------------------------------------------------------------------------
D, HEADS, HIDDEN, DEPTH, PATCH, SIDE = 16, 2, 32, 2, 4, 12


def vision(seed, names, sizes, eps, fused, scale, registers, qkv_bias=True, position_rows_for_class=True, extra=()):
    """names: the family's names of the parts. Gives checkpoint and expected patch vectors per block for inputs of several sizes."""
    w = Weights(seed)
    grid = SIDE // PATCH
    cls = w.new(names["class"], 1, 1, D)
    pos = w.new(names["positions"], 1, grid * grid + (1 if position_rows_for_class else 0), D)
    if "mask" in names: w.new(names["mask"], 1, D)
    reg = w.new(names["registers"], 1, registers, D) if registers else None
    kernel, kbias = w.new(names["patch"] + ".weight", D, 3, PATCH, PATCH), w.new(names["patch"] + ".bias", D)
    layers = []
    for i in range(DEPTH):
        p = names["layer"].format(i)
        l = {"n1": w.norm(p + names["norm1"], D)}
        if fused:
            weight, bias = w.pair(p + names["qkv"], 3 * D, D, qkv_bias)
            l["qkv"] = [(weight[j * D:(j + 1) * D], None if bias is None else bias[j * D:(j + 1) * D]) for j in range(3)]
        else: l["qkv"] = [w.pair(p + name, D, D, qkv_bias) for name in names["q,k,v"]]
        l["o"] = w.pair(p + names["out"], D, D)
        l["n2"] = w.norm(p + names["norm2"], D)
        l["up"], l["down"] = w.pair(p + names["up"], HIDDEN, D), w.pair(p + names["down"], D, HIDDEN)
        l["s1"], l["s2"] = (w.new(p + names["scale1"], D), w.new(p + names["scale2"], D)) if scale else (1.0, 1.0)
        layers.append(l)
    last = w.norm(names["norm"], D)
    for name, shape in extra: w.new(name, *shape)

    expected = {}
    for rows, columns in sizes:
        image = np.random.default_rng(seed + rows * 100 + columns).standard_normal((2, 3, rows * PATCH, columns * PATCH)).astype(np.float32)
        cut = image.astype(np.float64).reshape(2, 3, rows, PATCH, columns, PATCH).transpose(0, 2, 4, 1, 3, 5).reshape(2, rows * columns, -1)
        x = cut @ kernel.reshape(D, -1).T + kbias
        table = pos[0, -grid * grid:].reshape(grid, grid, D)
        if (rows, columns) != (grid, grid): table = np.einsum("ra,cb,abd->rcd", cubic(grid, rows), cubic(grid, columns), table)
        x = x + table.reshape(rows * columns, D)
        first = cls[0] + (pos[0, :1] if position_rows_for_class else 0)
        front = [np.broadcast_to(first, (2, 1, D))] + ([np.broadcast_to(reg[0], (2, registers, D))] if registers else [])
        x = np.concatenate(front + [x], 1)
        expected[f"input_{rows}x{columns}"] = image
        for i, l in enumerate(layers):
            x = x + l["s1"] * attention(norm(x, *l["n1"], eps), *l["qkv"], l["o"], HEADS)
            x = x + l["s2"] * linear(gelu(linear(norm(x, *l["n2"], eps), *l["up"])), *l["down"])
            y = norm(x, *last, eps) if i == DEPTH - 1 else x
            expected[f"block_{i}_{rows}x{columns}"] = y[:, 1 + registers:].transpose(0, 2, 1).reshape(2, D, rows, columns)
    return w, expected


TIMM = {"class": "cls_token", "positions": "pos_embed", "registers": "reg_token", "patch": "patch_embed.proj", "layer": "blocks.{}.", "norm1": "norm1",
        "qkv": "attn.qkv", "out": "attn.proj", "norm2": "norm2", "up": "mlp.fc1", "down": "mlp.fc2", "scale1": "ls1.gamma", "scale2": "ls2.gamma", "norm": "norm"}
HF = {"class": "vit.embeddings.cls_token", "positions": "vit.embeddings.position_embeddings", "patch": "vit.embeddings.patch_embeddings.projection",
      "layer": "vit.encoder.layer.{}.", "norm1": "layernorm_before", "q,k,v": ["attention.attention." + n for n in ("query", "key", "value")],
      "out": "attention.output.dense", "norm2": "layernorm_after", "up": "intermediate.dense", "down": "output.dense", "norm": "vit.layernorm"}
DINO_HF = {"class": "embeddings.cls_token", "positions": "embeddings.position_embeddings", "mask": "embeddings.mask_token", "registers": "embeddings.register_tokens",
           "patch": "embeddings.patch_embeddings.projection", "layer": "encoder.layer.{}.", "norm1": "norm1", "q,k,v": HF["q,k,v"], "out": "attention.output.dense",
           "norm2": "norm2", "up": "mlp.fc1", "down": "mlp.fc2", "scale1": "layer_scale1.lambda1", "scale2": "layer_scale2.lambda1", "norm": "layernorm"}
DINO = dict(TIMM, registers="register_tokens", mask="mask_token")
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
SQUARE = [(3, 3)]

folder("vit-timm", {"architecture": "vit_small_patch4_12", "num_heads": HEADS, "pretrained_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.5, 0.6, 0.7], "input_size": [3, SIDE, SIDE]}},
       *vision(1, TIMM, SQUARE, 1e-6, True, False, 0, extra=[("head.weight", (5, D)), ("head.bias", (5,))]))
folder("vit-timm-registers", {"architecture": "vit_small_patch4_reg2_12", "model_args": {"num_heads": HEADS}, "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, SIDE, SIDE]}},
       *vision(2, TIMM, SQUARE, 1e-6, True, True, 2, position_rows_for_class=False))
folder("vit-hf", {"model_type": "vit", "hidden_size": D, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS, "intermediate_size": HIDDEN, "image_size": SIDE, "patch_size": PATCH,
                  "layer_norm_eps": 1e-12, "qkv_bias": True, "hidden_act": "gelu"},
       *vision(3, HF, SQUARE, 1e-12, False, False, 0, extra=[("classifier.weight", (5, D)), ("classifier.bias", (5,))]),
       preprocessor_config__json=json.dumps({"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "size": {"height": SIDE, "width": SIDE}, "rescale_factor": 1 / 255}))
config = {"hidden_size": D, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS, "mlp_ratio": 2, "image_size": SIDE, "patch_size": PATCH, "layer_norm_eps": 1e-6, "qkv_bias": True,
          "hidden_act": "gelu", "use_swiglu_ffn": False}
folder("dinov2-hf-registers", {"model_type": "dinov2_with_registers", "num_register_tokens": 2, **config}, *vision(4, DINO_HF, SQUARE + [(4, 5)], 1e-6, False, True, 2),
       preprocessor_config__json=json.dumps({**IMAGENET, "size": {"shortest_edge": 256}, "crop_size": {"height": SIDE, "width": SIDE}}))
folder("dinov2", {"num_heads": HEADS}, *vision(5, DINO, SQUARE + [(2, 4)], 1e-6, True, True, 0))


# --- text --------------------------------------------------------------------------------------------------------------
def bert(seed, prefix, old_norms):
    w, eps, vocabulary, longest = Weights(seed), 1e-12, 30, 12
    named = lambda name: w.norm(name, D) if not old_norms else (w.new(name + ".gamma", D, around=1.0), w.new(name + ".beta", D))
    words = w.new(prefix + "embeddings.word_embeddings.weight", vocabulary, D)
    places = w.new(prefix + "embeddings.position_embeddings.weight", longest, D)
    kinds = w.new(prefix + "embeddings.token_type_embeddings.weight", 2, D)
    first = named(prefix + "embeddings.LayerNorm")
    layers = []
    for i in range(DEPTH):
        p = f"{prefix}encoder.layer.{i}."
        l = [w.pair(p + "attention.self." + n, D, D) for n in ("query", "key", "value")] + [w.pair(p + "attention.output.dense", D, D)]
        layers.append((l, named(p + "attention.output.LayerNorm"), w.pair(p + "intermediate.dense", HIDDEN, D), w.pair(p + "output.dense", D, HIDDEN), named(p + "output.LayerNorm")))
    w.pair(prefix + "pooler.dense", D, D)
    numbers = np.array([[2, 7, 29, 11, 3, 0, 0], [2, 5, 6, 8, 13, 21, 3]])
    visible = numbers != 0
    x = norm(words[numbers] + places[:7] + kinds[0], *first, eps)
    expected = {"numbers": numbers.astype(np.float32)}
    for i, (qkvo, n1, up, down, n2) in enumerate(layers):
        x = norm(x + attention(x, *qkvo, HEADS, visible), *n1, eps)
        x = norm(x + linear(gelu(linear(x, *up)), *down), *n2, eps)
        expected[f"block_{i}"] = x * visible[:, :, None]  # what stands on padding is nobody's concern
    return w, expected


vocabulary = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "un", "##aff", "##able", "##s", "run", "##ning", "goal", "team", "match", "score", "stock", "market", "price",
                        "bank", ".", ",", "!", "a", "e", "cafe", "##t", "中", "文", "said"]) + "\n"
text_config = {"model_type": "bert", "hidden_size": D, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS, "intermediate_size": HIDDEN, "vocab_size": 30, "max_position_embeddings": 12,
               "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
folder("bert", text_config, *bert(6, "bert.", False), vocab__txt=vocabulary, tokenizer_config__json=json.dumps({"do_lower_case": True}))
folder("bert-bare", text_config, *bert(7, "", True), vocab__txt=vocabulary)


# --- speech ------------------------------------------------------------------------------------------------------------
def speech(seed, prefix, stable, layered, new_names):
    """layered: every convolution is normalised over its channels; else the first one per channel over time."""
    w, eps, kernel, groups = Weights(seed), 1e-5, 6, 4
    width, kernels, strides = 8, [10, 3, 2], [5, 2, 2]
    convolutions = []
    for i, (k, s) in enumerate(zip(kernels, strides)):
        p = f"{prefix}feature_extractor.conv_layers.{i}."
        convolutions.append((w.new(p + "conv.weight", width, 1 if i == 0 else width, k), w.new(p + "conv.bias", width) if layered else None,
                             w.norm(p + "layer_norm", width) if layered or i == 0 else None, s))
    projection_norm = w.norm(prefix + "feature_projection.layer_norm", width)
    projection = w.pair(prefix + "feature_projection.projection", D, width)
    w.new(prefix + "masked_spec_embed", D)
    p = prefix + "encoder.pos_conv_embed.conv."
    pos_bias = w.new(p + "bias", D)
    g = w.new(p + ("parametrizations.weight.original0" if new_names else "weight_g"), 1, 1, kernel, around=1.0)
    v = w.new(p + ("parametrizations.weight.original1" if new_names else "weight_v"), D, D // groups, kernel)
    pos_weight = g * v / np.sqrt((v * v).sum((0, 1), keepdims=True))
    outer = w.norm(prefix + "encoder.layer_norm", D)
    layers = []
    for i in range(DEPTH):
        q = f"{prefix}encoder.layers.{i}."
        qkvo = [w.pair(q + f"attention.{n}_proj", D, D) for n in ("q", "k", "v", "out")]
        layers.append((qkvo, w.norm(q + "layer_norm", D), w.pair(q + "feed_forward.intermediate_dense", HIDDEN, D), w.pair(q + "feed_forward.output_dense", D, HIDDEN), w.norm(q + "final_layer_norm", D)))

    samples = np.random.default_rng(seed + 1).standard_normal((2, 400)).astype(np.float32)
    x = samples.astype(np.float64)[:, None]  # [N, C, T]
    for weight, bias, n, stride in convolutions:
        k = weight.shape[2]
        out = 1 + (x.shape[2] - k) // stride
        x = np.stack([np.einsum("nck,dck->nd", x[:, :, t * stride:t * stride + k], weight) for t in range(out)], 2)
        if bias is not None: x = x + bias[None, :, None]
        if n is not None:
            axis = 1 if layered else 2
            x = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5) * n[0][None, :, None] + n[1][None, :, None]
        x = gelu(x)
    x = linear(norm(x.transpose(0, 2, 1), *projection_norm, eps), *projection)  # [N, T, D]
    padded = np.pad(x, ((0, 0), (kernel // 2, kernel // 2), (0, 0)))
    placed = np.zeros_like(x)
    size = D // groups
    for t in range(x.shape[1]):
        for j in range(groups):
            placed[:, t, j * size:(j + 1) * size] = np.einsum("nkc,dck->nd", padded[:, t:t + kernel, j * size:(j + 1) * size], pos_weight[j * size:(j + 1) * size])
    x = x + gelu(placed + pos_bias)
    expected = {"samples": samples}
    if not stable: x = norm(x, *outer, eps)
    for i, (qkvo, n1, up, down, n2) in enumerate(layers):
        feed = lambda y: linear(gelu(linear(y, *up)), *down)
        if stable:
            x = x + attention(norm(x, *n1, eps), *qkvo, HEADS)
            x = x + feed(norm(x, *n2, eps))
        else:
            x = norm(x + attention(x, *qkvo, HEADS), *n1, eps)
            x = norm(x + feed(x), *n2, eps)
        y = norm(x, *outer, eps) if stable and i == DEPTH - 1 else x
        expected[f"block_{i}"] = y.transpose(0, 2, 1)[:, :, None, :]
    return w, expected


def speech_config(kind, stable, layered):
    return {"model_type": kind, "hidden_size": D, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS, "intermediate_size": HIDDEN, "layer_norm_eps": 1e-5, "hidden_act": "gelu",
            "feat_extract_activation": "gelu", "feat_extract_norm": "layer" if layered else "group", "conv_bias": layered, "conv_dim": [8, 8, 8], "conv_kernel": [10, 3, 2], "conv_stride": [5, 2, 2],
            "num_conv_pos_embeddings": 6, "num_conv_pos_embedding_groups": 4, "do_stable_layer_norm": stable}


folder("wav2vec2", speech_config("wav2vec2", False, False), *speech(8, "wav2vec2.", False, False, False),
       preprocessor_config__json=json.dumps({"sampling_rate": 16000, "do_normalize": True, "feature_size": 1}))
folder("hubert-stable", speech_config("hubert", True, True), *speech(9, "hubert.", True, True, True))
