"""The record of one incident: its size, its clock, whom it hit, what it cost, what comes next."""
