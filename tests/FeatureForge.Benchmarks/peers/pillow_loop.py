#!/usr/bin/env python3
"""The plain Pillow loop that ingest is compared with: the same JPEGs, the same checks, the same number of processes.

Per file: read, SHA-256, full decode (a cut-off file raises), upright by EXIF, RGB, brightness percentiles and entropy, a measure of
blur, a 64 x 64 form. Nothing is written: ingest writes Parquet and Arrow besides. Prints seconds of the loop alone, after a warm-up.

    pillow_loop.py FOLDER PROCESSES      (Debian: python3-pil)
"""
import hashlib
import io
import math
import multiprocessing
import os
import sys
import time

from PIL import Image, ImageFilter, ImageOps, ImageStat


def check(path):
    with open(path, "rb") as file:
        content = file.read()
    digest = hashlib.sha256(content).hexdigest()
    image = Image.open(io.BytesIO(content))
    image.load()
    image = ImageOps.exif_transpose(image).convert("RGB")
    grey = image.convert("L")
    histogram = grey.histogram()
    pixels = sum(histogram)
    below, low, high = 0, None, None
    for level, count in enumerate(histogram):
        below += count
        if low is None and below >= 0.05 * pixels:
            low = level
        if high is None and below >= 0.95 * pixels:
            high = level
    entropy = -sum(c / pixels * math.log2(c / pixels) for c in histogram if c)
    blur = ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES)).var[0]
    form = image.resize((64, 64), Image.BILINEAR).tobytes()
    return digest, image.size, low, high, entropy, blur, len(form)


def main():
    folder, processes = sys.argv[1], int(sys.argv[2])
    files = sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names if name.endswith(".jpg"))
    with multiprocessing.Pool(processes) as pool:
        pool.map(check, files[: 8 * processes])
        start = time.perf_counter()
        done = sum(1 for _ in pool.imap(check, files, chunksize=16))
        print(f"{done} {time.perf_counter() - start:.3f}")


main()
