#!/bin/sh
# Install Chromium from Debian where there is none and that can be done without asking.
# Otherwise the tests that need it are skipped and say so, or fail where CI=true.
command -v chromium >/dev/null && exit 0
command -v apt-get >/dev/null || exit 0
if [ "$(id -u)" = 0 ]; then
  as_root=
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  exit 0
fi
echo "Installing Chromium for the browser tests"
export DEBIAN_FRONTEND=noninteractive
{ $as_root apt-get update -qq && $as_root apt-get install -qq --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji; } >/dev/null
exit 0
