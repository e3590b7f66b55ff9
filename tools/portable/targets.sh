# Sourced. The platforms that portable builds are made for, and what each is called by whom.
#
#   platform        the folder in the jar and in dist/: OS, architecture, and the C library where it is not the usual one
#   zig_target      the compiler's triple; the floor of glibc stands at its end
#   openssl_target  the name in OpenSSL's Configurations
LINUX_PLATFORMS="linux-x86_64 linux-aarch64 linux-x86_64-musl linux-aarch64-musl"
MACOS_PLATFORMS="macos-x86_64 macos-aarch64"
GLIBC_FLOOR=2.17

set_platform() { # set_platform PLATFORM
  platform=$1
  system_name=Linux
  case $platform in
    linux-x86_64) zig_target=x86_64-linux-gnu.$GLIBC_FLOOR openssl_target=linux-x86_64 ;;
    linux-aarch64) zig_target=aarch64-linux-gnu.$GLIBC_FLOOR openssl_target=linux-aarch64 ;;
    linux-x86_64-musl) zig_target=x86_64-linux-musl openssl_target=linux-x86_64 ;;
    linux-aarch64-musl) zig_target=aarch64-linux-musl openssl_target=linux-aarch64 ;;
    macos-x86_64) zig_target=x86_64-macos.11.0 openssl_target=darwin64-x86_64-cc system_name=Darwin ;;
    macos-aarch64) zig_target=aarch64-macos.11.0 openssl_target=darwin64-arm64-cc system_name=Darwin ;;
    *)
      echo "no platform is called $platform: there are $LINUX_PLATFORMS $MACOS_PLATFORMS" >&2
      return 2
      ;;
  esac
  machine=${platform#*-}
  machine=${machine%-musl}
}
