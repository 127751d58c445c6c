# What bin/demo and bin/test share: Python, packages of the system, the virtual environment.
# Read with `.`; expects to stand at the top of the repository.

say() { printf '%s\n' "$*" >&2; }
fail() {
    say ""
    say "✗ $*"
    exit 1
}

# Set $python to the newest usable Python.
find_python() {
    for python in python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    fail "Python 3.11 以上が必要です。入れてから、もう一度実行してください（Debian・Ubuntu: apt install python3）。" \
        "/ Python 3.11 or newer is needed."
}

# Install Debian packages, as root or with sudo, and say so.
install_packages() {
    command -v apt-get >/dev/null 2>&1 ||
        fail "次のものを入れてから、もう一度実行してください: $* / Please install: $*"
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "管理者（root）で次を実行してから、もう一度試してください: apt-get install $* / Please run this as root."
        as_root="sudo"
    fi
    say "・管理者権限でパッケージを入れます（installing as root）: $*"
    mkdir -p var
    {
        $as_root apt-get update -q
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "$@"
    } >var/apt.log 2>&1 </dev/null ||
        fail "パッケージを入れられませんでした。ネットワークを確かめてください（記録: var/apt.log）。/ apt-get failed; is there a network?"
}

# Make .venv hold exactly the packages of requirements/$1.txt; do nothing when it does.
prepare_environment() {
    list="requirements/$1.txt"
    stamp=".venv/$1.installed"
    if [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null; then
        if cmp -s "$list" "$stamp"; then
            return
        fi
    else
        find_python
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        say "・実行環境 .venv を作ります（$("$python" --version)）"
        rm -rf .venv
        "$python" -m venv .venv || fail "実行環境を作れませんでした。/ Could not make the virtual environment."
    fi
    say "・必要な部品を入れます（hash を照合）… installing $list"
    mkdir -p var
    install_requirements "$list" >var/install.log 2>&1 </dev/null ||
        fail "部品を入れられませんでした。ネットワークを確かめてください（記録: var/install.log）。/ Could not install; is there a network?"
    cp "$list" "$stamp"
}

install_requirements() {
    pip=".venv/bin/python -m pip --disable-pip-version-check --no-input"
    if [ ! -x .venv/bin/uv ]; then
        $pip install -q --retries 1 --require-hashes --no-deps -r requirements/uv.txt || return 1
    fi
    .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes --no-deps -r "$1" ||
        $pip install -q --retries 1 --require-hashes --no-deps -r "$1"
}
