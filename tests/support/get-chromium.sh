#!/bin/sh
# Install Chromium from Debian where there is none.
command -v chromium >/dev/null && exit 0
. "$(dirname "$0")/debian.sh"
echo "Installing Chromium for the browser tests"
install_from_debian chromium fonts-dejavu-core fonts-noto-color-emoji
exit 0
