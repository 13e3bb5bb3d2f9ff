"""What setup.cfg cannot say: the accelerator is built where a compiler is, and left out where none is."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("web._accelerator", ["web/_accelerator.c"], optional=True)])
