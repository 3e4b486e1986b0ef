"""What is known of devices beside fleet files: tables, and what people have set while the hub runs."""
