"""What runs inside the sandbox. These files import only each other, and know no right answer."""
