#!/bin/sh
# Installs what a chore needs and the machine lacks: `tools/install.sh build|demo|test|bench`.
# Says what and why first; asks for root (sudo) only when a Debian package is missing.
set -eu

mode=${1:-build}
case $mode in build | demo | test | bench) ;; *)
    echo "usage: tools/install.sh build|demo|test|bench" >&2
    exit 1
    ;;
esac

nextest_version=0.9.143
deny_version=0.20.2

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'install: %s\n' "$*" >&2; }

# --- Debian packages ------------------------------------------------------------------------------------------------------------
packages=
need() { # need COMMAND PACKAGE REASON
    has "$1" && return 0
    say "$2 is missing: $3"
    packages="$packages $2"
}

need gcc gcc "SQLCipher, OpenSSL and AWS-LC are C"
need make make "OpenSSL is built by make"
need perl perl "OpenSSL's configuration is a Perl program"
need pkg-config pkg-config "build scripts look for system libraries with it"
need git git "version control, and the advisory database of cargo-deny"
has cargo || need curl curl "fetches the Rust installer"
if [ "$mode" = bench ]; then
    need valgrind valgrind "it counts the instructions of the benches"
fi
if [ "$mode" = demo ] || [ "$mode" = test ]; then
    PATH="$PATH:/usr/sbin:/sbin" # where Debian keeps tor for ordinary users
    need tor tor "the private Tor network. Debian's package also starts a tor service of its own, not used here: systemctl disable --now tor"
fi
[ "$mode" != test ] || need faketime faketime "a test starts the service with a wrong clock"
# OpenSSL's configuration needs Perl modules that the package perl-base does not have.
if has perl && ! perl -MFindBin -MFile::Compare -e 1 >/dev/null 2>&1; then
    say "perl is missing: only perl-base is here, OpenSSL's configuration needs more"
    packages="$packages perl"
fi

if [ -n "$packages" ]; then
    if ! has apt-get; then
        say "this machine has no apt-get: install by hand:$packages"
        exit 1
    fi
    root=
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || { say "no sudo here: as root, run: apt-get install$packages"; exit 1; }
        root=sudo
        say "asking for root to run: apt-get install$packages"
    fi
    say "installing Debian packages:$packages (about one minute)"
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages libc6-dev ca-certificates >&2
fi

# --- Rust -----------------------------------------------------------------------------------------------------------------------
if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
fi
if ! has cargo; then
    say "Rust is missing: installing rustup into ~/.cargo and ~/.rustup from https://rustup.rs (no root; one minute)"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet --profile minimal --default-toolchain none >&2
    PATH="$HOME/.cargo/bin:$PATH"
fi
# The toolchain itself is pinned by rust-toolchain.toml; rustup fetches it at the first call.
cargo --version >&2

# --- Cargo programs -------------------------------------------------------------------------------------------------------------
cargo_program() { # cargo_program NAME VERSION MINUTES REASON
    if "$1" --version 2>/dev/null | grep -q "^$1 $2"; then return 0; fi
    say "$1 $2 is missing: $4; building it into ~/.cargo/bin (about $3 min on two cores, once)"
    cargo install --quiet --locked "$1" --version "$2"
}

if [ "$mode" = test ]; then
    # Any nextest will do that .config/nextest.toml accepts; the exact cargo-deny is part of the rules (SUP-1).
    has cargo-nextest || cargo_program cargo-nextest "$nextest_version" 6 "it runs the tests"
    cargo_program cargo-deny "$deny_version" 5 "it checks advisories, licences and sources"
fi
