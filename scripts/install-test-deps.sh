#!/bin/sh
# Installs what the tests with foreign programs need: Debian packages (as root), the JavaScript
# client (npm), and the Go modules. Quick when everything is there. What it cannot install it
# names, one per line; that is an error when CI=true or WARREN_REQUIRE_ALL=1, and a hint otherwise.
set -eu
cd "$(dirname "$0")/.."

missing=

lacks() { # what
  missing="$missing
  $1"
}

has() { command -v "$1" >/dev/null 2>&1; }

installed() { # package
  dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# wanted prints the packages that are not there. A compiler for Java and a Node.js may also come
# from elsewhere.
wanted() {
  for package in \
    gcc libc6-dev librabbitmq-dev amqp-tools \
    python3 python3-pika ruby ruby-bunny php-cli php-amqplib \
    librabbitmq-client-java libslf4j-java \
    rabbitmq-server strace e2fsprogs mount util-linux iproute2; do
    installed "$package" || echo "$package"
  done
  has javac || echo default-jdk-headless
  has node || echo nodejs
  has npm || echo npm
}

# A package may start a service when it is installed. Debian asks this file before.
policy=/usr/sbin/policy-rc.d

install_packages() { # packages
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    guarded=yes
  fi
  # Output only when something goes wrong; then what can be had is had one by one.
  log=$(mktemp)
  apt_get update && apt_get install "$@" || {
    tail -n 20 "$log" >&2
    for package in "$@"; do apt_get install "$package" || true; done
  }
  rm -f "$log"
  if [ "${guarded:-}" = yes ]; then
    rm -f "$policy"
    trap - EXIT INT TERM
  elif has service; then
    case " $* " in
      *' rabbitmq-server '*) service rabbitmq-server stop >/dev/null 2>&1 || true ;;
    esac
  fi
}

apt_get() { # words, and output to the log
  DEBIAN_FRONTEND=noninteractive apt-get --yes --no-install-recommends "$@" >>"$log" 2>&1
}

if has dpkg-query && has apt-get; then
  packages=$(wanted)
  if [ -n "$packages" ] && [ "$(id -u)" = 0 ]; then
    echo "installing" $packages
    install_packages $packages
    packages=$(wanted)
  fi
  for package in $packages; do lacks "Debian package $package"; done
else
  for program in \
    gcc amqp-publish python3 ruby php javac node npm rabbitmq-server strace mkfs.ext4 losetup; do
    has "$program" || lacks "program $program"
  done
fi

# npm ci is slow even when there is nothing to do, so a copy of the lock file remembers it.
for packages in conformance/programs/javascript conformance/suites/javascript; do
  stamp=$packages/node_modules/.installed-from
  if ! cmp -s "$packages/package-lock.json" "$stamp"; then
    quietly='--no-audit --no-fund --loglevel=error'
    if has npm && (cd "$packages" && npm ci --ignore-scripts $quietly); then
      cp "$packages/package-lock.json" "$stamp"
    else
      lacks "npm ci in $packages"
    fi
  fi
done

if has go; then
  for module in . conformance; do
    (cd "$module" && go mod download) || lacks "go mod download in $module"
  done
  # The suites of these clients run as published: what they need is not among our own dependencies.
  for suite in github.com/rabbitmq/amqp091-go@v1.14.0 \
    github.com/michaelklishin/rabbit-hole/v3@v3.5.0; do
    folder=$(cd / && go mod download -json "$suite" | sed -n 's/^.*"Dir": "\(.*\)",*$/\1/p') &&
      [ -d "$folder" ] && (cd "$folder" && go mod download) || lacks "go mod download of $suite"
  done
else
  lacks "program go"
fi

[ -n "$missing" ] || exit 0
echo "missing for the tests with foreign programs:$missing" >&2
if [ "${CI:-}" = true ] || [ "${WARREN_REQUIRE_ALL:-}" = 1 ]; then exit 1; fi
[ "$(id -u)" = 0 ] || echo "run this as root to install Debian packages" >&2
