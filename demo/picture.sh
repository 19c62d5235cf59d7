# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# picture.sh - draw on a terminal of 80 columns
#
# To be sourced. use_style says how: with colours and box drawing, or in plain
# ASCII. All else prints to standard output.

readonly WIDTH=76 BAR=13

# use_style pretty|plain
use_style()
{
	if [ "$1" = pretty ]; then
		LINE=─ SIDE=│ TOP_LEFT=┌ TOP_RIGHT=┐ LOW_LEFT=└ LOW_RIGHT=┘
		WIRE=═ PLUG_LEFT=╞ PLUG_RIGHT=╡ MICRO=µs
		FULL=█ EIGHTHS=('' ▏ ▎ ▍ ▌ ▋ ▊ ▉)
		BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m'
		YELLOW=$'\e[33m' CYAN=$'\e[36m' OFF=$'\e[0m'
	else
		LINE=- SIDE='|' TOP_LEFT=+ TOP_RIGHT=+ LOW_LEFT=+ LOW_RIGHT=+
		WIRE='=' PLUG_LEFT='|' PLUG_RIGHT='|' MICRO=us
		FULL='#' EIGHTHS=('' '' '' '' '#' '#' '#' '#')
		BOLD='' DIM='' RED='' GREEN='' YELLOW='' CYAN='' OFF=''
	fi
}

# repeat STRING COUNT
repeat()
{
	local spaces

	printf -v spaces '%*s' "$2" ''
	printf '%s' "${spaces// /$1}"
}

# pad STRING WIDTH: to characters, where printf counts bytes
pad()
{
	printf '%s' "$1"
	repeat ' ' $(($2 > ${#1} ? $2 - ${#1} : 0))
}

# say COLOUR SENTENCE...
say()
{
	local colour=$1

	shift
	printf '  %s%s%s\n' "$colour" "$*" "${colour:+$OFF}"
}

# heading TEXT
heading()
{
	printf '\n  %s %s%s%s ' "$(repeat "$LINE" 2)" "$BOLD" "$1" "$OFF"
	repeat "$LINE" $((WIDTH - 4 - ${#1}))
	printf '\n\n'
}

box_edges()
{
	local edge

	edge=$1$(repeat "$LINE" "$3")$2
	printf '  %s        %s\n' "$edge" "$edge"
}

# two_boxes LEFT RIGHT: two texts of as many lines, each in a box, with a wire
# between their last lines
two_boxes()
{
	local left right i wire near far width=32

	mapfile -t left <<<"$1"
	mapfile -t right <<<"$2"
	box_edges "$TOP_LEFT" "$TOP_RIGHT" $width
	for i in "${!left[@]}"; do
		near=$SIDE far=$SIDE wire=' '
		[ "$i" -lt $((${#left[@]} - 1)) ] ||
			near=$PLUG_LEFT far=$PLUG_RIGHT wire=$WIRE
		printf '  %s%s%s%s%s%s%s\n' "$SIDE" "$(pad " ${left[i]}" $width)" "$near" \
			"$(repeat "$wire" 8)" "$far" "$(pad " ${right[i]}" $width)" "$SIDE"
	done
	box_edges "$LOW_LEFT" "$LOW_RIGHT" $width
}

# bar COUNT OF: how much of the whole that is; half a character is the least,
# unless it is nothing
bar()
{
	local eighths=$(($2 ? $1 * BAR * 8 / $2 : 0))

	eighths=$((eighths > BAR * 8 ? BAR * 8 : eighths))
	eighths=$(($1 && eighths < 4 ? 4 : eighths))
	pad "$(repeat "$FULL" $((eighths / 8)))${EIGHTHS[eighths % 8]}" $BAR
}

# columns LEFT RIGHT: the titles over draw_stages
columns()
{
	printf '  %s  %s %s\n' "$(pad '' 14)" "$(pad "$1" $((BAR + 7)))" "$2"
}

# draw_stages LEFT RIGHT: two files, each with the stages of a way in lines
# "name|count|where that was read". The first is the whole; what is fewer than
# half of it stands out, and what is nothing in both is left out.
draw_stages()
{
	local name source whole_left='' whole_right='' left right

	while IFS='|' read -r name left source _ right _; do
		: "${whole_left:=$left}" "${whole_right:=$right}"
		[ $((left + right)) -gt 0 ] || continue
		printf '  %s %s %s  %s%s%s\n' "$(pad "$name" 14)" \
			"$(stage "$left" "$whole_left")" \
			"$(stage "$right" "$whole_right")" "$DIM" "$source" "$OFF"
	done < <(paste -d '|' "$1" "$2")
}

stage()
{
	local colour=$CYAN

	[ $(($1 * 2)) -ge "$2" ] || colour=$YELLOW
	printf '%6d %s%s%s' "$1" "$colour" "$(bar "$1" "$2")" "$OFF"
}

# draw_story: "who|time|function|meaning" lines from standard input, under a
# line that says who, whenever that changes
draw_story()
{
	local who time function meaning last='' colour=$CYAN

	while IFS='|' read -r who time function meaning; do
		case $who in
		*irq*) colour=$YELLOW ;;
		scheduler*) colour=$DIM ;;
		reader*) colour=$GREEN ;;
		esac
		[ "$who" = "$last" ] || say "$colour$BOLD" "$who"
		last=$who
		printf '  %s%s%s %6s %s  %-21s  %s\n' "$colour" "$SIDE" "$OFF" \
			"$time" "$MICRO" "$function" "$meaning"
	done
}
