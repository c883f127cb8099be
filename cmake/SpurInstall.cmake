# SPDX-License-Identifier: MIT
# Installation: libraries, headers, a CMake package (find_package(spur)) and pkg-config files.
