# Becomes a container's process, in a mount namespace of its own that ends with it: with a root file system of which nothing but what is
# said can be written.
#
#   container.sh ROOT ro|rw WORKING_DIRECTORY [ro|rw FROM TO]... -- COMMAND...
#
# ROOT is an empty directory; each FROM that there is appears at TO.
set -eu
root=$1 root_mode=$2 directory=$3
shift 3
mount -t tmpfs -o mode=0755,size=1m,nosuid,nodev container "$root"
for name in bin sbin lib lib64; do
    ln -s "usr/$name" "$root/$name"
done
while [ "$1" != -- ]; do
    mode=$1 from=$2 to=$root$3
    shift 3
    [ -e "$from" ] || continue
    if [ -d "$from" ]; then
        mkdir -p "$to"
    else
        mkdir -p "${to%/*}"
        : >"$to"
    fi
    mount --rbind "$from" "$to"
    mount -o "remount,bind,$mode" "$to"
done
shift
mount -o "remount,$root_mode" "$root"
exec chroot "$root" env --chdir="$directory" "$@"
