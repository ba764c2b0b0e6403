# rc-sv: what the drop-in zz-rc-sv.conf loads in gendepends.sh, OpenRC's search
# for dependencies, when a service uses a module. POSIX sh plus local.

# gendepends.sh reads rc.conf after conf.d and would have the module for all
# services win. Sets rc_supervise_module to what it is at a start, and
# _rcsv_for_all to whether that is the module for all services.
rcsv_choose()
{
	local _rcsv_own

	_rcsv_own=$(
		unset rc_supervise_module
		{
			_rcsv_conf "${RC_SVCNAME%%.*}"
			_rcsv_conf "$RC_SVCNAME"
		} >&2
		printf %s "${rc_supervise_module+own:}$rc_supervise_module"
	)
	_rcsv_for_all=true
	case "$_rcsv_own" in
		own:*)
			_rcsv_for_all=false
			rc_supervise_module=${_rcsv_own#own:}
			;;
	esac
}

_rcsv_conf()
{
	[ ! -e "$_dir/../conf.d/$1" ] || . "$_dir/../conf.d/$1"
}

# At the end, when the service's script is loaded too: its dependencies.
rcsv_depend()
{
	# The module for all services has nothing to do with those without a daemon.
	[ -n "$command$pidfile" ] || ! $_rcsv_for_all || _rcsv_by_hand || return 0
	# For C programs, which do not see conf.d: rc_deptree_depend(3).
	echo "$RC_SVCNAME supervise $rc_supervise_module" >&3
	case "$rc_supervise_module" in
		s6) _rcsv_need s6-svscan ;;
		runit) _rcsv_need runsvdir ;;
		daemontools) _rcsv_need svscan ;;
	esac
}

# As at a start: a service directory that was written by hand needs no command.
_rcsv_by_hand()
{
	case "$rc_supervise_module" in
		s6) set -- "$s6_service_path" "/var/svc.d/$RC_SVCNAME" ;;
		runit) set -- "$runit_service" "/etc/sv/$RC_SVCNAME" ;;
		daemontools) set -- "$daemontools_service" "" ;;
		*) return 1 ;;
	esac
	# One that is set is refused where it is not there, and not passed over.
	[ "${1:-$2}" != "$2" ] || [ -d "$2" ]
}

# A scanner may well be started by init: only if it is a service.
_rcsv_need()
{
	[ "$RC_SVCNAME" != "$1" ] || return 0
	[ ! -x "$_dir/$1" ] || need "$1"
}
