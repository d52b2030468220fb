"""What `import labdiff` offers to notebooks and scripts: functions over the jobs, and their results."""
