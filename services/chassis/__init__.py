"""Plumbing that every service needs: functions to call, no business noun, no table of its own."""
