"""What runs inside the sandbox. These files import nothing else of ours, and know no right answer."""
