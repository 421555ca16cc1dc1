# Shared by the commands of script/: finds Python and uv, makes the private environment in .venv/.
# Sourced from the project's root. Every failure is one sentence on stderr and exit 2.

stop() {
    echo "$*" >&2
    exit 2
}

find_python() {
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        PYTHON_FOUND=$(command -v "$name" 2>/dev/null) || continue
        if "$PYTHON_FOUND" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    stop "Tidepool needs Python 3.11 or newer; ${PYTHON:-python3} is $("${PYTHON:-python3}" -V 2>&1 || true). Install it or set PYTHON to its path."
}

# uv from the PATH, else our own copy beside the environment, at the version and hash of uv.lock.
find_uv() {
    UV=$(command -v uv 2>/dev/null) && return
    UV=.venv/uv/bin/uv
    [ -x "$UV" ] && return
    find_python
    "$PYTHON_FOUND" -m venv .venv/uv >/dev/null 2>&1 ||
        stop "Python's venv module is missing or .venv/ cannot be written. On Debian and Ubuntu: apt install python3-venv."
    .venv/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r script/lib/uv.lock >&2 ||
        stop "The package index could not be reached, so uv could not be installed. Check the network and try again."
}

# make_env LOCK: an environment that holds exactly what LOCK names; does nothing when it already does.
make_env() {
    stamp=".venv/stamp-$1"
    if [ -x .venv/bin/python ] && cmp -s "$1" "$stamp"; then
        return
    fi
    find_python
    find_uv
    [ -x .venv/bin/python ] || "$UV" venv --quiet --allow-existing --python "$PYTHON_FOUND" .venv >&2 ||
        stop "The environment .venv/ could not be made. Is this folder writable?"
    echo "Installing what $1 names, once." >&2
    "$UV" pip install --quiet --python .venv/bin/python --require-hashes -r "$1" >&2 ||
        stop "The packages of $1 could not be installed. Check the network and try again."
    cp "$1" "$stamp"
}
