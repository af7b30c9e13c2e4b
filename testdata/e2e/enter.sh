#!/bin/sh
# A host of the test's own, inside a mount and a network namespace that are ours
# already: its own /etc, /run, /dev and /var/log, rsyslogd, sshd and vsftpd.
# Usage: enter.sh DIR; DIR/ready appears when all is up. Ends with its last daemon.
set -eu
dir=$1

mount -t overlay overlay -o "lowerdir=/etc,upperdir=$dir/upper,workdir=$dir/work" /etc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/vsftpd/empty
mount --bind "$dir/log" /var/log
mount --bind "$dir/sbin" /usr/local/sbin

# Real device nodes, but a /dev/log that is not the machine's.
mount -t tmpfs -o mode=755 tmpfs "$dir/dev"
while read -r name major minor; do
	mknod -m 666 "$dir/dev/$name" c "$major" "$minor"
done <<DEVICES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
mkdir "$dir/dev/pts" "$dir/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$dir/dev/pts"
ln -s pts/ptmx "$dir/dev/ptmx"
ln -s /proc/self/fd "$dir/dev/fd"
mount --move "$dir/dev" /dev

# A wrong password need not take two seconds here.
sed -i 's/pam_unix\.so/& nodelay/' /etc/pam.d/common-auth
useradd -M -d /tmp -s /bin/sh bhuser
echo 'bhuser:right' | chpasswd
printf '# the administrator\nALL: 192.0.2.1\n' >/etc/hosts.allow
: >/etc/hosts.deny
rm -rf /etc/blockhosts.yaml /etc/blockhosts.d

rsyslogd -n -f "$dir/rsyslog.conf" -i "$dir/rsyslogd.pid" &
while [ ! -S /dev/log ]; do sleep 0.05; done
"$(command -v sshd || echo /usr/sbin/sshd)" -D -f "$dir/sshd_config" &
vsftpd "$dir/vsftpd.conf" &
echo $$ >"$dir/holder"
touch "$dir/ready"
wait
