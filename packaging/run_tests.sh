#!/bin/sh
# All tests, or those named: packaging/run_tests.sh [PYTEST ARGUMENT…]
# On Linux they run in a virtual X server of their own, so that a real pointer can drag and click; on macOS on the screen.
set -eu
cd "$(dirname "$0")/.."
if [ "$(uname)" = Linux ]; then
    # A fixed screen makes positions repeatable; -a takes the first free display number.
    exec xvfb-run -a -s "-screen 0 1600x1000x24 -nolisten tcp" .venv/bin/python -m pytest "$@"
fi
exec .venv/bin/python -m pytest "$@"
