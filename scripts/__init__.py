"""Small entry points: sample data, migrations, benchmark, pictures, deployment."""
