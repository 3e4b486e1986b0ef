"""What the doctor looks at where several hubs stand on a replicated log; imported only with `cluster:`."""
