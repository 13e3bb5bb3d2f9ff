#!/bin/sh
# Install Chromium from Debian where there is none: the one without a window, which takes half the time. Where only the
# other one is there it serves as well, so that nothing is waited for.
command -v chromium-headless-shell >/dev/null && exit 0
. "$(dirname "$0")/debian.sh"
if command -v chromium >/dev/null; then
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
    -o Acquire::Retries=0 -o Acquire::http::Timeout=5 chromium-headless-shell >/dev/null 2>&1
else
  echo "Installing Chromium for the browser tests"
  fonts="fonts-dejavu-core fonts-noto-color-emoji"
  install_from_debian chromium-headless-shell $fonts || install_from_debian chromium $fonts
fi
touch "$tried"
