"""A bare loop over the MLX function of a model, nothing of the application around it: `bare_loop.py MODEL CACHE`."""

from __future__ import annotations

import sys

from lanes import first_photo
from work import serve, timed

from app.imaging.crop import Crop, prepare
from app.machine.blas import load_openblas


def main() -> None:
    blas = load_openblas()  # before mlx
    import mlx.core as mx

    from app.compiler import compile_model

    mx.set_default_device(mx.Device(mx.cpu))
    model = compile_model(sys.argv[1], precision="fp32", device="cpu", cache_folder=sys.argv[2])
    facts = model.facts
    size = (facts.image.width, facts.image.height)
    pixels = mx.array(prepare(first_photo(), size, Crop.CENTRE, facts.crop_fraction, facts.interpolation)[None])
    mx.eval(pixels)
    serve({"blas": str(blas)}, timed(lambda: mx.eval(model.function(pixels))))


if __name__ == "__main__":
    main()
