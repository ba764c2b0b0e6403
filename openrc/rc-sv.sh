# rc-sv: what the drop-in zz-rc-sv.conf loads when a service uses a module.
# POSIX sh plus local, as OpenRC's own scripts; dash, bash and busybox ash.

_rcsv_loader=/usr/local/bin/rc-sv-loader
_rcsv_newline='
'
# What the loader answers when the service starts itself, or nobody can watch it.
_rcsv_delegates=5

rcsv_start()
{
	local _rcsv_was_inactive=false _rcsv_said _rcsv_rc _rcsv_forks=

	if [ "$RC_CMD" = rcsv_respawn ]; then
		_rcsv_run "start --respawn" "$command_args_foreground"
		return
	fi
	! _rcsv_forks || _rcsv_forks=" --forks"
	ebegin "Starting ${name:-$RC_SVCNAME}"
	if yesno "$start_inactive"; then
		service_inactive && _rcsv_was_inactive=true
		mark_service_inactive
	fi
	trap _rcsv_start_break HUP INT TERM
	_rcsv_said=$({ _rcsv_run "start$_rcsv_forks" "$command_args_foreground"; } 2>&1)
	_rcsv_rc=$?
	trap - HUP INT TERM
	if [ $_rcsv_rc -eq $_rcsv_delegates ]; then
		_rcsv_start_stock && return 0
	else
		_rcsv_start_record && return 0
	fi
	if yesno "$start_inactive" && ! $_rcsv_was_inactive; then
		mark_service_stopped
	fi
	return 1
}

# A person has interrupted a start, and OpenRC calls the service stopped: so it is.
_rcsv_start_break()
{
	trap '' HUP INT TERM
	_rcsv_said=$("$_rcsv_loader" stop "$RC_SVCNAME" 2>&1) || eerror "$_rcsv_said"
	exit 1
}

# The module only watches, see rc-sv-attach.sh: OpenRC's own start, whose first
# line stands there already.
_rcsv_start_stock()
{
	_rcsv_by_openrc=yes
	(
		ebegin() { :; }
		_rcsv_stock start
	)
}

# Ends the start of a service that its module runs, as well or badly as it went.
_rcsv_start_record()
{
	if [ $_rcsv_rc -eq 0 ] && ! service_set_value rcsv_module "$rc_supervise_module"; then
		# Unrecorded it would be out of reach of stop.
		"$_rcsv_loader" stop "$RC_SVCNAME"
		_rcsv_said="cannot write $RC_SVCDIR/options/$RC_SVCNAME/rcsv_module: stopped again"
		_rcsv_rc=1
	fi
	_rcsv_eend $_rcsv_rc "Failed to start ${name:-$RC_SVCNAME}" "$_rcsv_said"
	set -- $?
	[ -z "$_rcsv_forks" ] || _rcsv_warn_forking
	return $1
}

rcsv_stop()
{
	local _rcsv_said _rcsv_rc

	ebegin "Stopping ${name:-$RC_SVCNAME}"
	_rcsv_said=$("$_rcsv_loader" stop "$RC_SVCNAME" 2>&1)
	_rcsv_rc=$?
	_rcsv_eend $_rcsv_rc "Failed to stop ${name:-$RC_SVCNAME}" "$_rcsv_said"
}

# Run by the supervisor before a respawn, without a lock: what a start does up to
# the daemon. What rc_env_allow lets through of the end is not for the daemon.
rcsv_respawn()
{
	if [ "$(command -v start_pre)" = start_pre ]; then
		start_pre || return
	fi
	unset EXIT_CODE EXIT_STATUS SERVICE_RESULT RESPAWN_COUNT SERVICE_OUTPUT
	start
}

# What a start would do. OpenRC hands on neither arguments nor variables: what is
# to be simulated stands on standard input.
rcsv_check()
{
	local _rcsv_how= _rcsv_further="$command_args_foreground"

	if [ "$(command -v start)" = start ] || { [ -z "$command" ] && ! _rcsv_by_hand; }; then
		_rcsv_how=" --own-start"
		command=
		command_args=
		_rcsv_further=
	elif _rcsv_forks; then
		_rcsv_how=" --forks"
	fi
	_rcsv_run "check$_rcsv_how --simulate -" "$_rcsv_further"
}

rcsv_reload()
{
	local _rcsv_said _rcsv_rc

	if ! _rcsv_recorded && ! _rcsv_attached; then
		eerror "$RC_SVCNAME: cannot reload: no module has started it"
		return 1
	fi
	ebegin "Reloading ${name:-$RC_SVCNAME}"
	_rcsv_said=$("$_rcsv_loader" reload "$RC_SVCNAME" 2>&1)
	_rcsv_rc=$?
	_rcsv_eend $_rcsv_rc "Failed to reload ${name:-$RC_SVCNAME}" "$_rcsv_said"
}

rcsv_status()
{
	. "$_rcsv_libexec/rc-sv-status.sh" && _rcsv_status
}

rcsv_attach()
{
	. "$_rcsv_libexec/rc-sv-attach.sh" && _rcsv_attach
}

rcsv_attach_again()
{
	. "$_rcsv_libexec/rc-sv-attach.sh" && _rcsv_attach_again
}

rcsv_stop_let_go()
{
	. "$_rcsv_libexec/rc-sv-attach.sh" && _rcsv_stop_let_go
}

rcsv_detach()
{
	. "$_rcsv_libexec/rc-sv-attach.sh" && _rcsv_detach
}

# Called after the script was loaded, by an OpenRC that has no reload.
rcsv_offer_reload()
{
	[ "$(command -v reload)" = reload ] && return
	reload()
	{
		default_reload
	}
	extra_started_commands="$extra_started_commands reload"
}

# Does the daemon go into the background by itself? An empty command_args_foreground
# says that it does not, pidfile or not.
_rcsv_forks()
{
	[ -z "$pidfile" ] || [ -n "${command_args_foreground+set}" ] ||
		[ "$rc_supervise_ready" = pidfile ] ||
		yesno "$command_background" && return 1
	case "$supervisor" in
		supervise-daemon|s6|runit) return 1 ;;
	esac
}

# A module that owns its process needs it in the foreground.
_rcsv_warn_forking()
{
	ewarn "$RC_SVCNAME: has a pidfile but neither command_args_foreground nor command_background:"
	ewarn "if it goes into the background by itself, module $rc_supervise_module cannot supervise it"
}

# Runs in a subshell, so that the exported variables end with it. $1: what the
# loader shall do, $2: further arguments of the daemon.
_rcsv_run()
{
	local _rcsv_verb="$1" _rcsv_further="$2"

	_rcsv_export
	# Evaluated as supervise-daemon.sh does, for command_args="this \"is a\" test".
	eval '"$_rcsv_loader"' "$_rcsv_verb" '"$RC_SVCNAME"' -- \
		$command $command_args $_rcsv_further
}

# Exports each variable that is set as RCSV_variable, unchanged.
_rcsv_export()
{
	# The script may have an IFS of its own.
	local _rcsv_key _rcsv_keys IFS=" 	$_rcsv_newline"

	. "$_rcsv_libexec/rc-sv-keys.sh"
	# OpenRC up to 0.62 sets this for every service: nobody asked for it.
	[ "$s6_service_path" != "/var/svc.d/$RC_SVCNAME" ] || unset s6_service_path
	for _rcsv_key in $_rcsv_keys $(_rcsv_unknown); do
		eval "[ -z \"\${$_rcsv_key+set}\" ] || export RCSV_$_rcsv_key=\"\$$_rcsv_key\""
	done
	# These are evaluated by OpenRC, so the loader gets their words, each quoted.
	for _rcsv_key in start_stop_daemon_args supervise_daemon_args; do
		eval "[ -z \"\${$_rcsv_key+set}\" ] || eval _rcsv_quote $_rcsv_key \$$_rcsv_key"
	done
}

# Variables that look like settings of ours: the loader names those it does not
# know. A line within a multi-line value can look like one, but is not set.
_rcsv_unknown()
{
	local IFS="$_rcsv_newline" _rcsv_line

	set -f
	for _rcsv_line in $(set); do
		case "$_rcsv_line" in
			rc_supervise_*=*) _rcsv_line=${_rcsv_line%%=*} ;;
			*) continue ;;
		esac
		case "$_rcsv_line" in
			*[!A-Za-z0-9_]*) ;;
			*) printf '%s\n' "$_rcsv_line" ;;
		esac
	done
}

# Exports RCSV_$1 as the remaining arguments, each in single quotes.
_rcsv_quote()
{
	local _rcsv_to="RCSV_$1" _rcsv_words= _rcsv_word
	shift

	for _rcsv_word; do
		_rcsv_words="$_rcsv_words '"
		while :; do
			case "$_rcsv_word" in
				*\'*) ;;
				*) break ;;
			esac
			_rcsv_words="$_rcsv_words${_rcsv_word%%\'*}'\\''"
			_rcsv_word=${_rcsv_word#*\'}
		done
		_rcsv_words="$_rcsv_words$_rcsv_word'"
	done
	export "$_rcsv_to=${_rcsv_words# }"
}

# $1: exit code, $2: what to say where the loader had nothing to say, $3: what
# it said. The last line of an error goes to eend, as in stock services.
_rcsv_eend()
{
	if [ "$1" -eq 0 ]; then
		eend 0
		_rcsv_lines ewarn ewarn "$3"
		return 0
	fi
	_rcsv_lines eerror _rcsv_failed "${3:-$2}"
	return 1
}

_rcsv_failed()
{
	eend 1 "$1"
}

# Gives each line of $3 to command $1, and the last one to command $2.
_rcsv_lines()
{
	local _rcsv_rest="$3"

	while :; do
		case "$_rcsv_rest" in
			*"$_rcsv_newline"*)
				$1 "${_rcsv_rest%%"$_rcsv_newline"*}"
				_rcsv_rest=${_rcsv_rest#*"$_rcsv_newline"}
				;;
			*)
				[ -z "$_rcsv_rest" ] || $2 "$_rcsv_rest"
				return 0
				;;
		esac
	done
}
