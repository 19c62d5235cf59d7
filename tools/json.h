/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON: what printf() does not do by itself.
 */
#ifndef FERRY_TOOL_JSON_H
#define FERRY_TOOL_JSON_H

#include <stdbool.h>

/**
 * json_string() - print a string on stdout as JSON has it
 * @string: UTF-8; a device's name may hold quotes and control characters
 */
void json_string(const char *string);

/**
 * json_bool() - a truth value as JSON has it
 * @value: the value
 *
 * Return: "true" or "false".
 */
const char *json_bool(bool value);

#endif /* FERRY_TOOL_JSON_H */
